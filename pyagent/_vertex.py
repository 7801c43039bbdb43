"""Where Vertex AI is: its address holds a project and a place, which Google's own tools read from the environment."""

from __future__ import annotations

import os


def server_url() -> str:
    """The address for GOOGLE_CLOUD_PROJECT at GOOGLE_CLOUD_LOCATION ("global" unless set); "" without a project.

    See https://docs.cloud.google.com/vertex-ai/generative-ai/docs/learn/locations. "us" and "eu" are
    places of their own.
    """
    project = os.environ.get("GOOGLE_CLOUD_PROJECT", "")
    location = os.environ.get("GOOGLE_CLOUD_LOCATION") or os.environ.get("GOOGLE_CLOUD_REGION") or "global"
    if not project:
        return ""
    host = {
        "global": "aiplatform.googleapis.com",
        "us": "aiplatform.us.rep.googleapis.com",
        "eu": "aiplatform.eu.rep.googleapis.com",
    }.get(location, f"{location}-aiplatform.googleapis.com")
    return f"https://{host}/v1/projects/{project}/locations/{location}"
