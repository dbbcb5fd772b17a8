"""Plugins for LocalStack 4.14: they run functions without Docker, repair defects and add a missing resource type.

This package runs inside LocalStack's process.
"""
