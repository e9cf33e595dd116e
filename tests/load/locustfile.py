"""The load of the platform's documents: people who record targets and start scans over the unversioned API."""

import os

from locust import HttpUser, between, task


class Analyst(HttpUser):
    """Signs in, records a target, scans it."""

    wait_time = between(1, 3)

    def on_start(self):
        answer = self.client.post(
            "/api/auth/login",
            json={"username": os.environ["TYRIAN_USER"], "password": os.environ["TYRIAN_PASSWORD"]},
        )
        self.client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        self.target = None

    @task(2)
    def create_target(self):
        answer = self.client.post("/api/targets", json={"name": os.environ["TYRIAN_TARGET"], "type": "web"})
        self.target = answer.json().get("id", self.target)

    @task(1)
    def start_scan(self):
        if self.target:
            self.client.post("/api/scans", json={"target_id": self.target, "scan_type": "quick"})

    @task(3)
    def list_findings(self):
        self.client.get("/api/findings")
