"""One execution of a suite: read it, run its targets, draw its verdicts.

What `seatrial run` and `seatrial.run` call.
"""
