"""What people say of cases and answers: a labeller for the terminal, journals, agreement, and what comes of them.

`units` is what a person is asked, `session` what each key does (pure), `journal` what is kept of it; `terminal` and
`lines` are the two edges. `final` and `agreement` read the journals of several people, `apply` writes them into a set,
`verdicts` into the file of labels that a suite names, `tables` for people who work in a spreadsheet.
"""
