"""EventBridge Scheduler: schedules that fire when they are due, in their own time zone, under their own role."""
