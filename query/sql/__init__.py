"""Questions of analysts in SQL: read only, on views only, within limits that the question can't lift.

A question passes four gates, each of which holds without the others: its words (`statement`), the database
(`sqlite`, `postgresql`), a process of its own with limits on memory and processor time (`child`), and the clock of the
process that asked (`ask`).
"""
