"""The version of Tickfold: written here, read from here by the build, and named by `started` events."""

VERSION = "0.1.0"
