"""REST sources: the format of a connector, the packaged catalogue, and loading by dlt's own REST source."""
