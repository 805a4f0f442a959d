"""Decides how the service manager is spoken to: by `systemctl`, found on the PATH, and by nothing else."""

import shutil
import subprocess

from .say import Stop, run

CADDY = "caddy.service"
RECOVER = "fedcollab-recover.service"  # at each start of the machine: undoes an upgrade that a power cut broke off


def there() -> bool:
    """Whether there is a service manager to speak to."""
    return shutil.which("systemctl") is not None


def reload_units() -> None:
    """Has the manager read its units again."""
    run(["systemctl", "daemon-reload"], "systemd did not take the new units.")


def enable(unit: str) -> None:
    """Has it start with the machine; doesn't start it now."""
    run(["systemctl", "enable", "--quiet", unit], f"systemd did not enable {unit}.")


def start(unit: str) -> None:
    """Starts it and waits until it says that it is ready."""
    run(["systemctl", "start", unit], f"{unit} does not start. What it says: journalctl -u {unit} -n 20")


def restart(unit: str) -> None:
    run(["systemctl", "restart", unit], f"{unit} does not start again. What it says: journalctl -u {unit} -n 20")


def reload_or_start(unit: str) -> None:
    """Has a running one read its settings again, and starts one that does not run."""
    run(["systemctl", "reload-or-restart", unit], f"{unit} does not take its settings. What it says: journalctl -u {unit} -n 20")


def stop(unit: str) -> None:
    """Stops it and waits until it has ended."""
    run(["systemctl", "stop", unit], f"{unit} does not stop. Look: systemctl status {unit}")


def is_active(unit: str) -> bool:
    """Whether it runs."""
    return subprocess.run(["systemctl", "is-active", "--quiet", unit], check=False).returncode == 0


def need() -> None:
    """Raises Stop where there is no systemd."""
    if not there():
        raise Stop("This machine has no systemd (no systemctl on the PATH). Use deploy/compose instead, or start the node by hand.")
