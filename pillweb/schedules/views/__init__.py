"""Pages of medicines: the list, the questions of a plan, and its versions."""
