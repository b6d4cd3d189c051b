"""Engines that read, cut and embed documents elsewhere; each module is imported only by an index that uses it."""
