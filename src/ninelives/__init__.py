"""Compute-node high availability for OpenStack: fence, prove, resurrect, lead back."""
