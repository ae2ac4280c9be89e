"""Runs the timetable and watches it: one run of a job at a time, what each did, and who is told when one is missed."""
