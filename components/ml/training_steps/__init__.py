"""What a training job runs, wherever it runs: laid beside its data, it needs nothing else of this library."""
