"""What LocalStack 4.14 loads: a way to run functions without Docker, repairs, and a resource type that it lacks.

Everything in this package runs inside LocalStack's process, except `reaper.py`.
"""
