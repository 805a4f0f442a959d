"""fedcollab: one small node for each anti-trafficking organisation, federated by signed activities."""

__version__ = "0.1.0"
