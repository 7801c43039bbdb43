"""The release, in the one place that the build reads; a test holds the core's own number equal."""

__all__ = ["__version__"]

__version__ = "0.1.0"
