"""The local run only: one-press sign-in, mailbox, demonstration data, playing time forward."""
