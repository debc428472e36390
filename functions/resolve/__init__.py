"""The sweep of unfinished attempts, which EventBridge Scheduler starts each minute."""
