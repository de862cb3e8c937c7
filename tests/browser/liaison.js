// The server, started as a process on a store of its own.

import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { createInterface } from "node:readline";

// An address that is free now: the server must know its own before it starts.
export const freePort = () =>
    new Promise((done) => {
        const server = createServer().listen(0, "127.0.0.1", () => {
            const { port } = server.address();
            server.close(() => done(port));
        });
    });

export class Liaison {
    static start(port, store, settings) {
        return Liaison.run(["serve", "--store", `sqlite:${store}`], port, settings);
    }

    static demo(port, folder) {
        return Liaison.run(["demo", "--dir", folder], port, {});
    }

    static async run(command, port, settings) {
        const server = new Liaison();
        const args = [...command, "--listen", `127.0.0.1:${port}`];
        server.log = "";
        server.root = `http://127.0.0.1:${port}`;
        const env = { ...process.env, LIAISON_LOG_LEVEL: "trace", ...settings };
        delete env.LIAISON_BINARY;
        server.child = spawn(process.env.LIAISON_BINARY ?? "target/release/liaison", args, { env });
        server.child.stderr.on("data", (part) => (server.log += part));
        server.ended = new Promise((done) => server.child.on("exit", done));
        await new Promise((done, failed) => {
            createInterface(server.child.stdout).on("line", (line) => line.startsWith("listening on ") && done());
            server.ended.then((code) => failed(new Error(`the server ended with ${code}:\n${server.log}`)));
        });
        return server;
    }

    async stop() {
        this.child.kill("SIGTERM");
        await this.ended;
    }

    async put(resource) {
        const answer = await fetch(`${this.root}/fhir/r4/${resource.resourceType}/${resource.id}`, {
            method: "PUT",
            headers: { "content-type": "application/fhir+json" },
            body: JSON.stringify(resource),
        });
        if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`);
    }
}

// One notebook and a nurse in its circle; another notebook that is none of hers.
export const NOTEBOOKS = [
    { resourceType: "Patient", id: "jeanne", name: [{ use: "official", family: "Morel", given: ["Jeanne"] }] },
    { resourceType: "Patient", id: "paul", name: [{ use: "official", family: "Petit", given: ["Paul"] }] },
    {
        resourceType: "Practitioner",
        id: "awa",
        identifier: [{ system: "https://rpps.esante.gouv.fr", value: "10000000001" }],
        name: [{ family: "Diallo", given: ["Awa"] }],
    },
    {
        resourceType: "CareTeam",
        id: "of-jeanne",
        status: "active",
        subject: { reference: "Patient/jeanne" },
        participant: [{ member: { reference: "Practitioner/awa" } }],
    },
];
