"""The one box: a page that finds in all that somebody may see."""
