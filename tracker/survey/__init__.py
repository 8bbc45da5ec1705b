"""Five questions to the physician after the support (docs/decisions/0021-survey.md).

The status page leads whoever holds the receipt and asked for it to them, by a press alone. The right to answer is
burnt with the answer; answers are rewritten in random order once five are held. From what is kept nothing leads to a
request.
"""
