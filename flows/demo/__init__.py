"""`kam demo`: the whole job on CRMs of this machine, shown as it goes."""

from flows.demo.showing import run_demo

__all__ = ["run_demo"]
