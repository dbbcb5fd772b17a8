"""Makes this package importable in an emulator's virtual environment, and nothing else.

In a project, the package may be installed beside any other packages. If their folder were on the emulator's path, the
emulator would import the project's version of boto3, for example. The folder above is therefore on the path instead.
It also has the metadata in which LocalStack finds its plugins.
"""

from pathlib import Path

__path__ = [str(Path(__file__).resolve().parents[2])]
