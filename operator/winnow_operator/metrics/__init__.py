"""Metrics: what the operator shows of itself and of jobs, and what it asks Prometheus.

own         the operator's own: queue, reconciles, calls of the API
objects     single jobs and servers, where the chart turns that on
gpu_time    GPU seconds of trials
prometheus  questions to Prometheus, and answers that are checked
"""
