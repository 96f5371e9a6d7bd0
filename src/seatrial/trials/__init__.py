"""One execution of a suite: read it, run its targets, draw its verdicts.

`trial` is what `seatrial run` and `seatrial.run` call, `check` judges one answer, `verify` makes and checks decision
records. `suite` reads what people wrote, `running` has the other ways of running, `change` is the gate, `following`
watches production.
"""
