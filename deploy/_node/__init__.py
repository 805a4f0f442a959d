"""What deploy/install, deploy/upgrade and deploy/rollback share; standard library only, Python 3.11."""
