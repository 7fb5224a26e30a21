"""Shared code of the notebooks.

The modules stand on floors, and a module imports only from floors below its own::

    floor 3   training
    floor 2   models  plotting
    floor 1   data  baselines
    floor 0   noise  metrics
    ground    checks  progress

Importing this package keeps TensorFlow's start-up log quiet. Set TF_CPP_MIN_LOG_LEVEL yourself,
before the import, to see it.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
