"""Looking an installation over from outside and inside, and saying in words what is wrong."""
