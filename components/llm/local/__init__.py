"""Models that run on this machine, with no account and no download beyond a package."""
