"""Decides the commands for people's second factor."""

from .console import AsJson, say, with_kernel


def user_reset_factor(name: str, as_json: AsJson = False) -> None:
    """Takes a member's second factor away, for a phone that is lost with all recovery codes."""
    from fedcollab.features.members import service

    with_kernel(lambda k: k.database.write(service.reset_factor, k.node, None, name))
    words = f"{name} signs in with the password alone; all sessions and tokens have ended. The person and all admins are told."
    say(as_json, {"reset": name}, words)
