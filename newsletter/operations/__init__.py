"""The running of the installation: what its processes say of themselves, whether that is well, and who is told."""
