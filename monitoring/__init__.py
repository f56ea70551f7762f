"""What people see of Winnow's metrics: the Grafana dashboards, and a page of their panels."""
