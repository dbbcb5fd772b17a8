"""The plugins for LocalStack 4.14: a way to run functions without Docker, repairs, and a resource type that it lacks.

Everything in this package runs inside LocalStack's process, except `reaper.py`.
"""
