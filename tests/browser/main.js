// People sign in, in a real Chromium, at a real OpenID provider, at the real server.
//
//   LIAISON_BINARY=target/release/liaison node tests/browser/main.js [PART OF A NAME]
//
// Ends with 0 only when everything passed.

import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { chromium } from "playwright-core";
import { freePort, Liaison, NOTEBOOKS } from "./liaison.js";
import { IdentityProvider } from "./provider.js";

// The provider says at length that it is set up for tests.
console.warn = console.info = () => {};

// A key that a token names is asked for again after so long.
const KEYS_ASKED_AGAIN = 10_000;

const folder = mkdtempSync(join(tmpdir(), "liaison-browser-"));
const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync"],
});

// Everything that a part needs: a provider, a server that trusts it, people with browsers of their own.
const world = async (proof) => {
    const provider = await IdentityProvider.start();
    const port = await freePort();
    const root = `http://127.0.0.1:${port}`;
    const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const [key, secret] = [join(folder, `${port}.pem`), join(folder, `${port}.secret`)];
    writeFileSync(key, privateKey.export({ format: "pem", type: "pkcs8" }));
    writeFileSync(secret, "the secret of this server");
    const ours = { client_id: "liaison-web", redirect_uris: [`${root}/sign-in/done`], post_logout_redirect_uris: [`${root}/sign-in`] };
    const shown = {
        key: { token_endpoint_auth_method: "private_key_jwt", jwks: { keys: [{ ...publicKey.export({ format: "jwk" }), kid: "ours" }] } },
        secret: { token_endpoint_auth_method: "client_secret_basic", client_secret: "the secret of this server" },
    };
    provider.serve([
        { ...ours, ...shown[proof], id_token_signed_response_alg: "ES256" },
        { client_id: "robot", client_secret: "of the robot", redirect_uris: [], response_types: [], grant_types: ["client_credentials"],
            id_token_signed_response_alg: "ES256" },
    ]);
    const store = join(folder, `${port}.db`);
    const filling = await Liaison.start(port, store, { LIAISON_AUTH: "off" });
    for (const resource of NOTEBOOKS) await filling.put(resource);
    await filling.stop();
    const settings = {
        LIAISON_AUTH: "oidc",
        LIAISON_PUBLIC_URL: root,
        LIAISON_OIDC_ISSUERS: provider.issuer,
        LIAISON_OIDC_AUDIENCE: "liaison",
        LIAISON_OIDC_SOFTWARE: "robot=operator",
        LIAISON_SIGN_IN: `Mon fournisseur: issuer=${provider.issuer} client=liaison-web `
            + (proof === "key" ? `key=${key} key_id=ours` : `secret=${secret}`),
    };
    const server = await Liaison.start(port, store, settings);
    return { provider, server, root, settings, store, port };
};

// A phone of somebody, who reads French.
const phone = async (root) => {
    const context = await browser.newContext({ locale: "fr-FR", viewport: { width: 390, height: 844 }, baseURL: root });
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
    return { context, page, api: (path) => context.request.get(`/fhir/r4/${path}`) };
};

// What the browser complained of: a policy that a page of ours breaks would stand here.
let faults = [];

const heading = (page) => page.locator("h1").innerText();

// From the home page to the provider's page that asks for a name.
const setOut = async (page) => {
    await page.goto("/");
    await page.getByRole("link", { name: "Se connecter" }).click();
    await page.getByRole("link", { name: "Se connecter avec Mon fournisseur" }).click();
    await page.waitForSelector("input[name=login]");
};

const signIn = async (page, who) => {
    await setOut(page);
    await page.fill("input[name=login]", who);
    await page.fill("input[name=password]", "x");
    await page.click("button[type=submit]");
    await page.getByRole("button", { name: "Continue" }).click();
    await page.waitForURL((url) => url.hostname === "127.0.0.1");
};

const parts = {
    async "somebody signs in, is known, and signs out here and at the provider"({ root, provider }) {
        const { context, page, api } = await phone(root);
        assert.equal((await api("Patient/jeanne")).status(), 401);
        await signIn(page, "awa");
        assert.equal(page.url(), `${root}/`);
        const text = await page.locator("main").innerText();
        assert.match(text, /Awa Diallo/);
        assert.match(text, /Jeanne Morel/);
        assert.doesNotMatch(text, /Petit/);
        assert.ok(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "it fits a phone");
        assert.equal((await api("Patient/jeanne")).status(), 200);
        assert.equal((await api("Patient/paul")).status(), 404);
        const kept = (await context.cookies()).find((cookie) => cookie.name === "liaison-session");
        assert.deepEqual([kept.httpOnly, kept.sameSite, kept.path, kept.expires], [true, "Lax", "/", -1]);
        assert.equal(await page.evaluate("document.cookie"), "", "no script sees a cookie");
        await page.getByRole("button", { name: "Se déconnecter" }).click();
        assert.equal(await heading(page), "Vous êtes déconnecté");
        assert.equal((await api("Patient/jeanne")).status(), 401);
        await page.getByRole("link", { name: "Se déconnecter aussi de Mon fournisseur" }).click();
        await page.waitForURL(`${provider.issuer}/**`);
        await page.getByRole("button", { name: /yes/i }).click();
        await page.waitForURL(`${root}/sign-in**`);
        // The provider asks again who it is.
        await setOut(page);
    },

    async "the back button neither signs in again nor shows what was there"({ root }) {
        const { page, api } = await phone(root);
        await signIn(page, "awa");
        await page.goBack();
        await page.goto("/");
        assert.match(await page.locator("main").innerText(), /Jeanne Morel/);
        await page.getByRole("button", { name: "Se déconnecter" }).click();
        assert.equal(await heading(page), "Vous êtes déconnecté");
        await page.goBack();
        assert.doesNotMatch(await page.locator("main").innerText(), /Jeanne Morel/);
        assert.equal((await api("Patient/jeanne")).status(), 401);
    },

    async "the way back from the provider leads in once"({ root }) {
        const { page } = await phone(root);
        let back;
        page.on("request", (request) => (back = request.url().includes("/sign-in/done") ? request.url() : back));
        await signIn(page, "awa");
        await page.goto(back);
        assert.equal(page.url(), `${root}/`, "who is signed in already goes home");
        const other = await phone(root);
        await other.page.goto(back);
        assert.equal(await heading(other.page), "Cette connexion n’est plus valable");
        assert.equal((await other.api("Patient/jeanne")).status(), 401);
    },

    async "who says no at the provider, and who is not known here, are told so"({ root }) {
        const { page, api } = await phone(root);
        await setOut(page);
        await page.getByRole("link", { name: /cancel/i }).click();
        await page.waitForURL(`${root}/sign-in/done**`);
        assert.equal(await heading(page), "Vous n’êtes pas connecté");
        assert.equal((await api("Patient/jeanne")).status(), 401);
        await signIn(page, "nobody");
        assert.equal(await heading(page), "Vous n’êtes pas connu ici");
    },

    async "a session that is ended on another phone is over at once"({ root }) {
        const [one, other] = [await phone(root), await phone(root)];
        await signIn(one.page, "awa");
        await signIn(other.page, "awa");
        await one.page.getByRole("link", { name: "Vos connexions" }).click();
        assert.equal(await one.page.getByRole("listitem").count(), 2);
        await one.page.getByRole("button", { name: "Déconnecter", exact: true }).click();
        await one.page.waitForURL(`${root}/sessions`);
        assert.equal(await one.page.getByRole("listitem").count(), 1);
        assert.equal((await other.api("Patient/jeanne")).status(), 401);
        assert.equal((await one.api("Patient/jeanne")).status(), 200);
        await other.page.reload();
        assert.doesNotMatch(await other.page.locator("main").innerText(), /Jeanne Morel/);
    },

    async "a page of somebody else changes nothing with the session of a visitor"({ root }) {
        const { context, page, api } = await phone(root);
        await signIn(page, "awa");
        const evil = await context.newPage();
        // Another site, with forms that send themselves.
        await evil.route("http://evil.example/**", (route) => route.fulfill({
            contentType: "text/html",
            body: `<form method="post" action="${root}${new URL(route.request().url()).searchParams.get("to")}"></form>
                   <script>document.forms[0].submit()</script>`,
        }));
        for (const to of ["/sign-out", "/sign-out/everywhere", "/sessions/end"]) {
            await evil.goto(`http://evil.example/?to=${to}`);
            await evil.waitForURL(`${root}/**`);
            assert.equal((await api("Patient/jeanne")).status(), 200, to);
        }
    },

    async "the provider changes its keys while everything runs"({ root, provider }) {
        const early = await phone(root);
        await signIn(early.page, "awa");
        provider.changeKeys();
        await wait(KEYS_ASKED_AGAIN);
        const late = await phone(root);
        await signIn(late.page, "awa");
        assert.match(await late.page.locator("main").innerText(), /Jeanne Morel/);
        assert.equal((await early.api("Patient/jeanne")).status(), 200);
    },

    async "while the provider is away, sessions and tokens go on, and signing in says why not"({ root, provider }) {
        const early = await phone(root);
        await signIn(early.page, "awa");
        const token = await provider.token("robot", "of the robot");
        const bearer = { headers: { authorization: `Bearer ${token}` } };
        await provider.stop();
        await wait(KEYS_ASKED_AGAIN);
        assert.equal((await early.api("Patient/jeanne")).status(), 200);
        const answer = await fetch(`${root}/fhir/r4/Patient/paul`, bearer);
        assert.equal(answer.status, 200, `its last keys are believed: ${await answer.text()}`);
        const late = await phone(root);
        await late.page.goto("/sign-in");
        await late.page.getByRole("link", { name: "Se connecter avec Mon fournisseur" }).click();
        assert.equal(await heading(late.page), "La connexion est impossible pour l’instant");
        assert.equal(new URL(late.page.url()).origin, root, "nobody is sent to where nobody is");
    },
};

// The demonstration, where one chooses who one is.
const ofTheDemonstration = {
    async "whoever tries the demonstration out is one of its people, and then another"({ root, server }) {
        const { page, api } = await phone(root);
        const seen = async () => {
            const bundle = await (await api("Patient?_count=50")).json();
            return bundle.entry.map(({ resource }) => resource.name[0].family).sort();
        };
        await page.goto("/");
        await page.getByRole("link", { name: "Se connecter" }).click();
        assert.ok(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "it fits a phone");
        const people = await page.getByRole("button").allInnerTexts();
        assert.equal(people.length, 6, people.join());
        const everybody = await seen();
        assert.equal(everybody.length, 6, "without a session, programs are the system");
        await page.getByRole("button", { name: /Claire Dubreuil/ }).click();
        await page.waitForURL(`${root}/`);
        assert.match(await page.locator("main").innerText(), /Claire Dubreuil/);
        assert.deepEqual(await seen(), ["ARNAUD", "MOREL"].map((name) => everybody.find((one) => one.toUpperCase() === name)));
        await page.getByRole("button", { name: "Se déconnecter" }).click();
        assert.equal(await heading(page), "Vous êtes déconnecté");
        await page.getByRole("link", { name: "Se connecter à nouveau" }).click();
        await page.getByRole("button", { name: /Yvonne Castel/ }).click();
        await page.waitForURL(`${root}/`);
        assert.match(await page.locator("main").innerText(), /Yvonne Castel/);
        assert.deepEqual((await seen()).map((name) => name.toUpperCase()), ["CASTEL"]);
        // A page of somebody else chooses for nobody.
        const evil = await page.context().newPage();
        await evil.route("http://evil.example/**", (route) => route.fulfill({
            contentType: "text/html",
            body: `<form method="post" action="${root}/sign-in/as"><input name="who" value="nurse"></form>
                   <script>document.forms[0].submit()</script>`,
        }));
        await evil.goto("http://evil.example/");
        await evil.waitForURL(`${root}/**`);
        assert.deepEqual((await seen()).map((name) => name.toUpperCase()), ["CASTEL"]);
        assert.equal(server.root, root);
    },
};

const demonstration = async () => {
    const port = await freePort();
    const server = await Liaison.demo(port, join(folder, `${port}`));
    return { server, root: server.root };
};

const wanted = Object.entries({ ...parts, ...ofTheDemonstration }).filter(([name]) => name.includes(process.argv[2] ?? ""));
let failed = 0;
for (const [number, [name, part]] of wanted.entries()) {
    // Both ways to show who we are.
    const here = await (name in parts ? world(number % 2 ? "secret" : "key") : demonstration());
    faults = [];
    try {
        await part(here);
        const policy = faults.filter((fault) => fault.includes("Content Security Policy"));
        assert.deepEqual(policy, []);
        assert.doesNotMatch(here.server.log, /panicked|code=|id_token|eyJ/);
        console.log(`ok      ${name}`);
    } catch (error) {
        failed += 1;
        console.log(`FAILED  ${name}\n${error.stack}\n${here.server.log.split("\n").filter((line) => / (WARN|ERROR) /.test(line)).join("\n")}`);
    }
    await here.server.stop();
    await here.provider?.stop().catch(() => {});
    for (const context of browser.contexts()) await context.close();
}
await browser.close();
rmSync(folder, { recursive: true });
console.log(`browser: ${wanted.length - failed} passed, ${failed} failed`);
process.exitCode = failed || !wanted.length ? 1 : 0;
