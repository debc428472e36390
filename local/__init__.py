"""The local stack: gateway, table, OCPP server and charge points on one machine."""

import sys

from scripts.import_roots import import_roots

# For the functions that the stack runs, and for the registry of dialects, which its commands read.
sys.path[:0] = [str(root) for root in import_roots() if str(root) not in sys.path]
