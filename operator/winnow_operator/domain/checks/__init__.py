"""Whether a job or server can work at all: sentences about all that admission could not see."""
