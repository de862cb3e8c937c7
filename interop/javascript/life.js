// The ordinary life of a notebook through fhir-kit-client, on either base.

import assert from 'node:assert/strict';
import { Client } from 'fhir-kit-client';

import { refused } from './checks.js';
import { noteNumber, personNumber, professionalNumber, resource } from './people.js';

const FHIR_VERSION = { r4: '4.0.1', stu3: '3.0.2' };
const DATE = { r4: 'date', stu3: 'created' };
const NOTE = 'DocumentReference';

/** Runs every check on one base. */
export async function live(checks, server, release) {
  const client = new Client({ baseUrl: `${server}/fhir/${release}` });
  const date = DATE[release];
  const check = (what, body) => checks.check(`fhir-kit-client ${release}: ${what}`, body);
  const create = (body, headers) => client.create({ resourceType: body.resourceType, body, options: { headers } });
  const remove = ({ resourceType, id }) => client.delete({ resourceType, id });
  const matches = (bundle) => (bundle.entry ?? []).filter(({ search }) => search.mode === 'match').map((e) => e.resource);

  await check('the capability statement says its release and what it does', async () => {
    const statement = await client.capabilityStatement();
    assert.equal(statement.fhirVersion, FHIR_VERSION[release]);
    const [rest] = statement.rest;
    const codes = rest.resource.find(({ type }) => type === NOTE).interaction.map(({ code }) => code);
    for (const code of ['read', 'vread', 'create', 'update', 'patch', 'delete', 'search-type']) assert.ok(codes.includes(code), code);
  });

  const personKey = personNumber();
  const professionalKey = professionalNumber();
  const noteKey = noteNumber();
  let person;
  let professional;
  let note;
  let template;

  await check('create a person, a professional and a note', async () => {
    person = await create(resource(release, 'person', { PERSON_NUMBER: personKey }));
    professional = await create(resource(release, 'professional', { PROFESSIONAL_NUMBER: professionalKey }));
    template = (values) =>
      resource(release, 'note', { PERSON: `Patient/${person.id}`, PROFESSIONAL: `Practitioner/${professional.id}`, ...values });
    note = await create(template({ NOTE_NUMBER: noteKey }));
    const { response } = Client.httpFor(note);
    assert.equal(response.status, 201);
    assert.match(response.headers.get('location'), new RegExp(`/fhir/${release}/DocumentReference/${note.id}/_history/1$`));
    assert.equal(response.headers.get('etag'), 'W/"1"');
  });

  await check('read it, and any version of it', async () => {
    const read = await client.read({ resourceType: NOTE, id: note.id });
    assert.deepEqual(read, note);
    const version = await client.vread({ resourceType: NOTE, id: note.id, version: '1' });
    assert.deepEqual(version, note);
    const unchanged = client.read({ resourceType: NOTE, id: note.id, options: { headers: { 'If-None-Match': 'W/"1"' } } });
    await assert.rejects(unchanged, ({ response }) => response.status === 304);
  });

  await check('resolve its references', async () => {
    const subject = await client.resolve({ reference: note.subject.reference, context: note });
    assert.equal(subject.name[0].family, 'ARVELLE');
  });

  await check('update it; an update of an older version is refused', async () => {
    const body = { ...note, description: 'Relu' };
    const update = (version) =>
      client.update({ resourceType: NOTE, id: note.id, body, options: { headers: { 'If-Match': `W/"${version}"` } } });
    assert.equal((await update(1)).meta.versionId, '2');
    await refused(412, () => update(1));
  });

  await check('patch it', async () => {
    const jsonPatch = [{ op: 'replace', path: '/description', value: 'Relu et complété' }];
    const patched = await client.patch({ resourceType: NOTE, id: note.id, jsonPatch });
    assert.equal(patched.description, 'Relu et complété');
    assert.equal(patched.meta.versionId, '3');
    await refused(422, () => client.patch({ resourceType: NOTE, id: note.id, jsonPatch: [{ op: 'remove', path: '/status' }] }));
  });

  await check('read its history', async () => {
    const history = await client.history({ resourceType: NOTE, id: note.id });
    assert.equal(history.type, 'history');
    assert.deepEqual(history.entry.map((entry) => entry.resource.meta.versionId), ['3', '2', '1']);
    assert.equal(history.entry[2].request.method, 'POST');
  });

  for (const postSearch of [false, true]) {
    await check(`search with subject and author included, by ${postSearch ? 'POST' : 'GET'}`, async () => {
      const found = await client.search({
        resourceType: NOTE,
        searchParams: {
          'patient.identifier': `urn:oid:1.2.250.1.213.1.4.8|${personKey}`,
          _include: ['DocumentReference:subject', 'DocumentReference:author'],
        },
        options: { postSearch },
      });
      assert.equal(found.total, 1);
      const entries = found.entry.map((entry) => [entry.resource.resourceType, entry.search.mode]).sort();
      assert.deepEqual(entries, [[NOTE, 'match'], ['Patient', 'include'], ['Practitioner', 'include']]);
      for (const entry of found.entry) assert.ok(entry.fullUrl.startsWith(`${client.baseUrl}/`), entry.fullUrl);
    });
  }

  await check('search by the author, through a typed chain', async () => {
    const searchParams = { 'author:Practitioner.identifier': professionalKey, type: 'OBS', [date]: 'ge2026-03-04' };
    assert.deepEqual(matches(await client.search({ resourceType: NOTE, searchParams })).map(({ id }) => id), [note.id]);
  });

  const others = [];
  await check('page forth through seven notes, two at a time', async () => {
    for (let day = 10; day < 16; day += 1) others.push(await create(template({ DATE: `2026-03-${day}T08:30:00+01:00` })));
    const searchParams = { subject: `Patient/${person.id}`, _sort: `-${date}`, _count: 2 };
    const dates = [];
    for (let page = await client.search({ resourceType: NOTE, searchParams }); page; page = await client.nextPage({ bundle: page })) {
      assert.equal(page.total, 7);
      assert.ok(matches(page).length <= 2);
      dates.push(...matches(page).map((each) => each[date].slice(0, 10)));
      assert.ok(dates.length <= 7, 'pages repeat notes');
    }
    assert.deepEqual(dates, ['15', '14', '13', '12', '11', '10', '04'].map((day) => `2026-03-${day}`));
  });

  await check('a conditional create finds what is there', async () => {
    const body = template({});
    const condition = { 'If-None-Exist': `identifier=https://logiciel.example.org/notes|${noteKey}` };
    const found = await create(body, condition);
    assert.equal(Client.httpFor(found).response.status, 200);
    assert.equal(found.id, note.id);
  });

  await check('a transaction stores three resources; one bad entry and it stores none', async () => {
    const body = resource(release, 'note-bundle');
    const answer = await client.transaction({ body });
    assert.equal(answer.type, 'transaction-response');
    assert.deepEqual(answer.entry.map(({ response }) => response.status.slice(0, 3)), ['201', '201', '201']);
    const stored = answer.entry.map(({ response }) => response.location.split('/_history/')[0].split('/').slice(-2));
    for (const [resourceType, id] of stored) others.push({ resourceType, id });

    const bad = resource(release, 'note-bundle');
    bad.entry[0].resource.status = 'perhaps';
    await refused(422, () => client.transaction({ body: bad }));
    const identifier = bad.entry[1].resource.identifier[0].value;
    assert.equal((await client.search({ resourceType: 'Patient', searchParams: { identifier } })).total, 0);
  });

  await check('a batch answers each entry for itself', async () => {
    const entry = [`${NOTE}/${note.id}`, `${NOTE}/none-such`].map((url) => ({ request: { method: 'GET', url } }));
    const answer = await client.batch({ body: { resourceType: 'Bundle', type: 'batch', entry } });
    assert.deepEqual(answer.entry.map(({ response }) => response.status.slice(0, 3)), ['200', '404']);
  });

  await check('$validate tells a good note from a bad one', async () => {
    const validate = (body) => client.operation({ name: 'validate', resourceType: NOTE, input: body });
    const errors = ({ issue }) => issue.filter(({ severity }) => severity === 'error' || severity === 'fatal');
    assert.deepEqual(errors(await validate(template({}))), []);
    assert.notDeepEqual(errors(await validate({ ...template({}), status: 'perhaps' })), []);
  });

  await check('mistakes are refused with an outcome', async () => {
    await refused(400, () => client.search({ resourceType: NOTE, searchParams: { colour: 'red' } }));
    await refused(404, () => client.read({ resourceType: NOTE, id: 'none-such' }));
    await refused(404, () => client.read({ resourceType: 'Unicorn', id: '1' }));
    await refused(422, () => create({ ...template({}), subject: { reference: 'Patient/none-such' } }));
    await refused(409, () => remove(person));
  });

  await check('delete the notes, then the people', async () => {
    const notes = [note, ...others];
    for (const each of [...notes, person, professional]) await remove(each);
    await refused(410, () => client.read({ resourceType: NOTE, id: note.id }));
    const history = await client.history({ resourceType: NOTE, id: note.id });
    assert.equal(history.entry[0].request.method, 'DELETE');
  });
}
