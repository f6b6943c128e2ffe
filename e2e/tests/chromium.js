// Headless Chromium, for the tests that look at pages.
import { mkdir } from "node:fs/promises";
import { chromium } from "playwright-core";
import { artifacts } from "./lib.js";

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";

// browser starts one, which ends with the test.
export async function browser(t) {
  await mkdir(artifacts, { recursive: true });
  const b = await chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
  t.after(() => b.close());
  return b;
}
