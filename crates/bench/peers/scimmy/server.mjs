// A server around scimmy-routers: users and groups in memory, one bearer token. Usage: node server.mjs PORT TOKEN
import { randomUUID } from "node:crypto";
import express from "express";
import SCIMMY from "scimmy";
import SCIMMYRouters from "scimmy-routers";

const [port, token] = process.argv.slice(2);

function keep(type, unique) {
    const kept = new Map();
    const missing = (id) => new SCIMMY.Types.Error(404, null, `Resource ${id} not found`);
    SCIMMY.Resources.declare(type)
        .ingress((resource, data) => {
            const now = new Date();
            const before = kept.get(resource.id);
            if (resource.id && !before) throw missing(resource.id);
            const id = resource.id ?? randomUUID();
            const name = data[unique]?.toLowerCase();
            if (!before && names.get(type).has(name)) {
                throw new SCIMMY.Types.Error(409, "uniqueness", `${unique} is taken`);
            }
            names.get(type).set(name, id);
            const meta = { created: before?.meta.created ?? now, lastModified: now };
            const whole = { ...JSON.parse(JSON.stringify(data)), id, meta };
            kept.set(id, whole);
            return whole;
        })
        .egress((resource) => {
            if (!resource.id) return [...kept.values()];
            const found = kept.get(resource.id);
            if (!found) throw missing(resource.id);
            return found;
        })
        .degress((resource) => {
            if (!kept.delete(resource.id)) throw missing(resource.id);
        });
}

const names = new Map([[SCIMMY.Resources.User, new Map()], [SCIMMY.Resources.Group, new Map()]]);
keep(SCIMMY.Resources.User, "userName");
keep(SCIMMY.Resources.Group, "displayName");

const app = express();
app.use("/v2", new SCIMMYRouters({
    type: "bearer",
    handler: (request) => {
        if (request.header("Authorization") !== `Bearer ${token}`) throw new Error("unknown token");
        return "client";
    },
}));
app.listen(Number(port), "127.0.0.1");
