"""Whether the node is well, what it holds, how full its disk is: for the machine, for monitoring, for the admin's pages."""
