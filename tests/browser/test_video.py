"""Chromium plays the video that a trace is saved as, and shows the pictures that went in."""

from __future__ import annotations

import base64

import numpy as np
import pytest
from playwright.sync_api import Browser

import augimpact as ai

pytestmark = pytest.mark.browser

# In the middle of a frame's time, that frame as the browser paints it.
SHOWN = """async ([content, seconds]) => {
  const video = document.createElement("video");
  video.muted = true;
  video.src = "data:video/mp4;base64," + content;
  await new Promise((loaded, failed) => {
    video.oncanplaythrough = loaded;
    video.onerror = () => failed(new Error(video.error.message));
  });
  const canvas = document.createElement("canvas");
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  const context = canvas.getContext("2d");
  const frames = [];
  for (const at of seconds) {
    await new Promise((there) => { video.onseeked = there; video.currentTime = at; });
    context.drawImage(video, 0, 0);
    let text = "";
    for (const each of context.getImageData(0, 0, canvas.width, canvas.height).data) text += String.fromCharCode(each);
    frames.push(btoa(text));
  }
  return { duration: video.duration, width: canvas.width, height: canvas.height, frames };
}"""


def test_a_browser_plays_the_video_to_the_end_in_true_colours(chromium: Browser, classifier, tmp_path):
    trace = ai.analyze("example:cat", ai.Sweep(rotation=(-40, 40), frames=5), classifier)
    content = trace.save(tmp_path / "cat.mp4", milliseconds=100, hold=600, loop="forward", width=401).read_bytes()
    pictures = trace.pictures(width=401)
    page = chromium.new_page()
    page.goto("about:blank")
    seconds = [0.05, 0.15, 0.25, 0.35, 0.9]
    seen = page.evaluate(SHOWN, [base64.b64encode(content).decode(), seconds])
    page.close()
    assert seen["duration"] == pytest.approx(1.0, abs=0.001)
    assert seen["width"] == 402
    for frame, picture in zip(seen["frames"], pictures, strict=True):
        pixels = np.frombuffer(base64.b64decode(frame), np.uint8).reshape(seen["height"], seen["width"], 4)
        shown = pixels[: picture.shape[0], : picture.shape[1], :3].astype(np.float64)
        # As tests/render/test_video.py: decibels, with a little off for the browser's own way back to RGB.
        assert 10 * np.log10(255**2 / np.mean((shown - picture) ** 2)) > 34
