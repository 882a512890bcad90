// The pages in a browser. Each test runs on the report of a run with failures and on a comparison.
"use strict";

const assert = require("node:assert/strict");
const { readFileSync, writeFileSync } = require("node:fs");
const path = require("node:path");
const { after, before, describe, test } = require("node:test");
const { pathToFileURL } = require("node:url");
const { chromium } = require("playwright-core");

const { CHROME, COMPARISON, PICTURES, REPORT } = process.env;
let browser;
before(async () => {
  // The sandbox does not start as root, e.g. in a container.
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  browser = await chromium.launch({ executablePath: CHROME, args });
});
after(() => browser.close());

/** Opens a page with these options of a browser context, and calls `body` with it. */
async function open(file, options, body) {
  const context = await browser.newContext(options);
  try {
    const page = await context.newPage();
    page.problems = [];
    page.on("console", (message) => page.problems.push(message.text()));
    page.on("pageerror", (error) => page.problems.push(String(error)));
    page.on("request", (request) => page.problems.push(`asked for ${request.url()}`));
    await page.goto(pathToFileURL(file).href);
    assert.match(page.problems.shift(), /^asked for file:/, "the page itself");
    await body(page);
  } finally {
    await context.close();
  }
}

async function picture(page, name) {
  if (PICTURES) await page.screenshot({ path: path.join(PICTURES, `${name}.png`) });
}

const openAll = () => document.querySelectorAll("details").forEach((it) => (it.open = true));

/** Elements that reach beyond the right edge, except in regions that scroll. */
function tooWide() {
  const width = document.documentElement.clientWidth;
  return [...document.body.querySelectorAll("*")]
    .filter((it) => it.checkVisibility() && !it.closest(".scroll, .skip"))
    .filter((it) => it.getBoundingClientRect().right > width + 1)
    .map((it) => it.outerHTML.slice(0, 120));
}

/** Visible texts with a contrast below 4.5 (WCAG AA). */
function faint() {
  const parse = (color) => {
    const [r, g, b, alpha = 1] = color.match(/[\d.]+/g).map(Number);
    return { rgb: [r, g, b], alpha };
  };
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((it) => {
      const part = it / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const background = (element) => {
    for (let it = element; it; it = it.parentElement) {
      const { rgb, alpha } = parse(getComputedStyle(it).backgroundColor);
      if (alpha === 1) return rgb;
    }
    throw new Error("the page has no background");
  };
  const hasText = (it) =>
    [...it.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
  const found = new Set();
  for (const it of document.body.querySelectorAll("*")) {
    if (!hasText(it) || !it.checkVisibility() || it.matches("script, .skip")) continue;
    const lights = [parse(getComputedStyle(it).color).rgb, background(it)].map(luminance);
    const contrast = (Math.max(...lights) + 0.05) / (Math.min(...lights) + 0.05);
    if (contrast < 4.5) found.add(`${it.tagName}.${it.className}: ${contrast.toFixed(2)}`);
  }
  return [...found];
}

for (const [name, file] of [["report", REPORT], ["comparison", COMPARISON]]) {
  describe(name, () => {
    test("it needs nothing beside itself and has no error", () =>
      open(file, {}, async (page) => {
        assert.deepEqual(page.problems, []);
        assert.ok(await page.locator("#filter").isVisible(), "its script runs");
        await picture(page, `${name}-light`);
      }));

    test("it runs no script that a target wrote", async () => {
      const attack = "<script>document.title = 'attacked'</script><img src=x onerror=\"document.title = 'attacked'\">";
      const copy = path.join(path.dirname(COMPARISON), "attacked.html");
      writeFileSync(copy, readFileSync(file, "utf8").replace("<footer>", `${attack}<footer>`));
      await open(copy, {}, async (page) => {
        assert.doesNotMatch(await page.title(), /attacked/);
        assert.equal(page.problems.filter((it) => it.includes("Content Security Policy")).length, 3);
      });
    });

    test("each link within the page shows its target", () =>
      open(file, {}, async (page) => {
        const hidden = await page.evaluate(async () => {
          const links = document.querySelectorAll('a[href^="#"]');
          const found = [];
          for (const hash of new Set([...links].map((it) => it.getAttribute("href")))) {
            document.querySelectorAll("details").forEach((it) => (it.open = false));
            location.hash = hash;
            await new Promise(requestAnimationFrame);
            const target = document.getElementById(hash.slice(1));
            const { top } = target.getBoundingClientRect();
            if (!target.checkVisibility() || top < 0 || top > innerHeight) found.push(hash);
          }
          return found;
        });
        assert.deepEqual(hidden, []);
      }));

    test("it is complete without its script", () =>
      open(file, { javaScriptEnabled: false }, async (page) => {
        assert.deepEqual(page.problems, []);
        await page.evaluate(openAll);
        const hidden = await page.evaluate(() =>
          [...document.querySelectorAll("main *")].filter((it) => !it.checkVisibility()).length);
        assert.equal(hidden, 0);
      }));

    for (const colorScheme of ["light", "dark"]) {
      test(`each text stands out: ${colorScheme}`, () =>
        open(file, { colorScheme }, async (page) => {
          await picture(page, `${name}-${colorScheme}`);
          await page.evaluate(openAll);
          assert.deepEqual(await page.evaluate(faint), []);
        }));
    }

    test("on a phone, only tables scroll sideways, and they show that they do", () =>
      open(file, { viewport: { width: 390, height: 844 } }, async (page) => {
        await picture(page, `${name}-phone`);
        await page.evaluate(openAll);
        assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390);
        assert.deepEqual(await page.evaluate(tooWide), []);
        const regions = await page.evaluate(() =>
          [...document.querySelectorAll(".scroll")]
            .filter((it) => it.scrollWidth > it.clientWidth)
            .map((it) => getComputedStyle(it).backgroundImage));
        assert.ok(regions.length > 0, "something is too wide");
        assert.ok(regions.every((it) => it.includes("gradient")), "a shadow at the edge");
      }));

    test("print is complete, even without the script", () => {
      // A4 at 96 dpi, upright or across, less the margins.
      const viewport = { width: name === "report" ? 718 : 1047, height: 1000 };
      return open(file, { javaScriptEnabled: false, viewport }, async (page) => {
        await page.emulateMedia({ media: "print" });
        const hidden = await page.evaluate(() =>
          [...document.querySelectorAll("main *")]
            .filter((it) => !it.checkVisibility() || (it.matches(".body") && !it.offsetHeight))
            .filter((it) => !it.matches(".skip"))
            .map((it) => it.outerHTML.slice(0, 120)));
        assert.deepEqual(hidden, []);
        assert.deepEqual(await page.evaluate(tooWide), []);
        const cut = await page.evaluate(() =>
          [...document.querySelectorAll(".scroll")]
            .filter((it) => it.scrollWidth > it.clientWidth)
            .map((it) => it.textContent.slice(0, 120)));
        assert.deepEqual(cut, []);
      });
    });

    test("a browser that cannot open folds by style prints them open, too", () =>
      open(file, {}, async (page) => {
        const states = await page.evaluate(() => {
          const state = () => [...document.querySelectorAll("details")].map((it) => it.open);
          const before = state();
          dispatchEvent(new Event("beforeprint"));
          const printed = state();
          dispatchEvent(new Event("afterprint"));
          return { before, printed, after: state() };
        });
        assert.ok(states.before.includes(false));
        assert.ok(!states.printed.includes(false));
        assert.deepEqual(states.after, states.before);
      }));

    test("the filter shows what contains all its words, and an empty one changes nothing", () =>
      open(file, {}, async (page) => {
        const state = () =>
          page.evaluate(() => ({
            shown: [...document.querySelectorAll(".item:not([hidden])")].map((it) => it.textContent),
            all: document.querySelectorAll(".item").length,
            open: [...document.querySelectorAll("details")].map((it) => it.open),
          }));
        const before = await state();
        assert.equal(before.shown.length, before.all);
        await page.locator("#filter").fill("Payload metadata");
        const { shown, all } = await state();
        assert.ok(shown.length > 0 && shown.length < all, `${shown.length} of ${all}`);
        for (const text of shown) assert.match(text, /payload[^]*metadata|metadata[^]*payload/i);
        assert.equal(await page.locator("output").textContent(), `${shown.length} of ${all}`);
        const folded = await page.evaluate(() =>
          [...document.querySelectorAll("details.fold:not([hidden])")].filter((it) => !it.open).length);
        assert.equal(folded, 0, "folds with something to show are open");
        await picture(page, `${name}-filter`);
        await page.locator("#filter").fill("no such words anywhere");
        assert.equal((await state()).shown.length, 0);
        await page.locator("#filter").fill("");
        assert.deepEqual(await state(), before);
      }));
  });
}

test("a command is copied whole", () =>
  open(REPORT, { permissions: ["clipboard-read", "clipboard-write"] }, async (page) => {
    const command = page.locator(".command").first();
    await page.locator(".commands button").first().click();
    await page.getByText("Copied").waitFor();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    assert.equal(copied, await command.textContent());
    assert.match(copied, /^fallproof run \S/);
  }));
