// The provider: oidc-provider, certified by the OpenID Foundation, with people and keys of its own.

import { createServer } from "node:http";
import { generateKeyPairSync, randomUUID } from "node:crypto";
import Provider from "oidc-provider";

// What it knows of people: their names and national numbers, all invented.
const PEOPLE = {
    awa: { given_name: "Awa", family_name: "Diallo", rpps: "10000000001", profession: "60" },
    lea: { given_name: "Léa", family_name: "Morel", fhirUser: "RelatedPerson/lea" },
    nobody: { given_name: "Inconnue", family_name: "Nulle-Part" },
};

const signingKey = () => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    return { ...privateKey.export({ format: "jwk" }), alg: "ES256", use: "sig", kid: randomUUID() };
};

export class IdentityProvider {
    // On an address of its own; `clients` are those who may send people here.
    static async start() {
        const provider = new IdentityProvider();
        provider.server = createServer((request, response) => provider.handler(request, response));
        await new Promise((done) => provider.server.listen(0, "127.0.0.1", done));
        provider.port = provider.server.address().port;
        // Another host than the server's, so that the browser takes them for two sites.
        provider.issuer = `http://localhost:${provider.port}`;
        return provider;
    }

    // Takes these clients from now on, and signs with a new key.
    serve(clients) {
        this.clients = clients;
        const provider = new Provider(this.issuer, {
            clients,
            jwks: { keys: [signingKey()] },
            cookies: { keys: ["of the provider of these tests"] },
            pkce: { required: () => true },
            claims: { openid: ["sub"], profile: ["given_name", "family_name", "rpps", "profession", "fhirUser"] },
            // Half in the ID token, half by userinfo, as Pro Santé Connect does.
            conformIdTokenClaims: true,
            findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...PEOPLE[id] }) }),
            features: {
                clientCredentials: { enabled: true },
                resourceIndicators: {
                    enabled: true,
                    defaultResource: () => undefined,
                    getResourceServerInfo: () => ({
                        scope: "system/*.rs",
                        audience: "liaison",
                        accessTokenTTL: 600,
                        accessTokenFormat: "jwt",
                        jwt: { sign: { alg: "ES256" } },
                    }),
                },
            },
        });
        this.handler = provider.callback();
    }

    // Signs with another key from now on, while everything runs.
    changeKeys() {
        this.serve(this.clients);
    }

    // A token of software, for the API.
    async token(client, secret) {
        const answer = await fetch(`${this.issuer}/token`, {
            method: "POST",
            headers: { authorization: `Basic ${Buffer.from(`${client}:${secret}`).toString("base64")}` },
            body: new URLSearchParams({ grant_type: "client_credentials", resource: "urn:liaison", scope: "system/*.rs" }),
        });
        if (!answer.ok) throw new Error(`no token: ${answer.status} ${await answer.text()}`);
        return (await answer.json()).access_token;
    }

    // Answers nobody any more.
    async stop() {
        this.server.closeAllConnections();
        await new Promise((done) => this.server.close(done));
    }
}
