"""The catalogue of the package's components: site, JSON schemas, llms.txt."""
