"""Reports, what moderators do about them on every node that carries a conversation, and what members mute for themselves."""
