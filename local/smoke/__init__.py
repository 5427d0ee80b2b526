"""`make smoke`: whether a deployed stack does what it is for, found out from outside and by its name."""
