"""From a page on the web to a Notice: fetch, recognise, split. Nothing here interprets what a page says."""
