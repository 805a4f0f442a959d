"""Search: one index over all that can be found, and what finds in it; features put in what is theirs."""
