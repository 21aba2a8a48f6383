// SPDX-License-Identifier: Apache-2.0
// Our ML-KEM, Falcon and sealed boxes against the npm package @noble/post-quantum, both ways: what
// one makes, the other must make too, open, verify or refuse. Sealed boxes are made here from
// docs/protocols/sealed_box.md. Run by pq_noble.py.
//   node pq_noble.mjs ORACLE PACKAGES CASES SEED
import { spawn } from 'node:child_process';
import { createCipheriv, createHash, hkdfSync } from 'node:crypto';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const [program, packages, caseCount, seed] = process.argv.slice(2);
const require = createRequire(pathToFileURL(`${packages}/`));
const noble = (name) => import(pathToFileURL(require.resolve(`@noble/post-quantum/${name}.js`)));
const { ml_kem768, ml_kem1024 } = await noble('ml-kem');
const { falcon1024, falcon1024padded } = await noble('falcon');

const KEMS = [['ml-kem-768', ml_kem768, 3], ['ml-kem-1024', ml_kem1024, 4]];
const SIGNATURES = [['compressed', falcon1024], ['padded', falcon1024padded]];
const ARITHMETICS = ['emulated', 'hardware'];
const Q = 3329;
const CASES_PER_FALCON_KEY = 10; // The package takes a second for a key.
const MAX_MESSAGE = 300;
const MAX_READERS = 4;

const hex = (bytes) => Buffer.from(bytes).toString('hex') || '-';

function same(what, ours, theirs) {
  if (ours !== theirs) throw new Error(`${what}\n  ours   ${ours}\n  theirs ${theirs}`);
}

// What the package says of an input: its result in hex, or "refused" if it throws.
function theirs(make) {
  try {
    return hex(make());
  } catch {
    return 'refused';
  }
}
const withoutName = (answer) => answer.replace(/^(refused) .*/, '$1');

// The program that answers for us.
class Oracle {
  constructor() {
    this.process = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.lines = createInterface({ input: this.process.stdout })[Symbol.asyncIterator]();
  }
  async ask(...words) {
    this.process.stdin.write(`${words.map((w) => (w instanceof Uint8Array ? hex(w) : w)).join(' ')}\n`);
    const { value, done } = await this.lines.next();
    if (done) throw new Error(`${program} ended at: ${words.slice(0, 2).join(' ')}`);
    return value;
  }
  end() {
    this.process.stdin.end();
  }
}

// The same bytes for the same seed.
class Chance {
  constructor(text) {
    this.stream = createCipheriv('aes-256-ctr', createHash('sha256').update(text).digest(), Buffer.alloc(16));
  }
  bytes(count) {
    return new Uint8Array(this.stream.update(Buffer.alloc(count)));
  }
  below(bound) {
    return Buffer.from(this.bytes(4)).readUInt32LE() % bound;
  }
  flipped(bytes) {
    const other = Uint8Array.from(bytes);
    other[this.below(other.length)] ^= 1 << this.below(8);
    return other;
  }
}

async function kemCase(oracle, chance, [name, kem, rank]) {
  const keySeed = chance.bytes(64);
  const { publicKey, secretKey } = kem.keygen(keySeed);
  same(`${name} keygen`, await oracle.ask(name, 'keygen', keySeed), `${hex(publicKey)} ${hex(secretKey)}`);

  const m = chance.bytes(32);
  const { cipherText, sharedSecret } = kem.encapsulate(publicKey, m);
  const [ciphertext, secret] = (await oracle.ask(name, 'encaps', publicKey, m)).split(' ');
  same(`${name} ciphertext`, ciphertext, hex(cipherText));
  same(`${name} shared secret`, secret, hex(sharedSecret));
  same(`${name} ours opened there`, secret, theirs(() => kem.decapsulate(Buffer.from(ciphertext, 'hex'), secretKey)));
  same(`${name} theirs opened here`, await oracle.ask(name, 'decaps', secretKey, cipherText), hex(sharedSecret));

  for (const bad of [chance.flipped(cipherText), chance.bytes(cipherText.length)]) {
    const rejected = await oracle.ask(name, 'decaps', secretKey, bad);
    same(`${name} implicit rejection`, rejected, theirs(() => kem.decapsulate(bad, secretKey)));
    if (rejected === secret) throw new Error(`${name}: another ciphertext gives the same secret`);
  }

  // A coefficient that is not reduced, and a hash that is not that of the key.
  const unreduced = Uint8Array.from(publicKey);
  const at = 3 * chance.below(128 * rank);
  const value = Q + chance.below(4096 - Q);
  unreduced[at] = value & 0xff;
  unreduced[at + 1] = (unreduced[at + 1] & 0xf0) | (value >> 8);
  same(`${name} unreduced key`, withoutName(await oracle.ask(name, 'encaps', unreduced, m)), 'refused');
  same(`${name} unreduced key`, 'refused', theirs(() => kem.encapsulate(unreduced, m).cipherText));
  const wrongHash = Uint8Array.from(secretKey);
  wrongHash[wrongHash.length - 64 + chance.below(32)] ^= 1 << chance.below(8);
  same(`${name} wrong hash`, withoutName(await oracle.ask(name, 'decaps', wrongHash, cipherText)), 'refused');
  same(`${name} wrong hash`, 'refused', theirs(() => kem.decapsulate(cipherText, wrongHash)));
}

async function falconKey(oracle, chance) {
  const keySeed = chance.bytes(48);
  const key = falcon1024.keygen(keySeed);
  same('falcon keygen', await oracle.ask('falcon', 'keygen', keySeed), `${hex(key.publicKey)} ${hex(key.secretKey)}`);
  same('falcon public key of theirs', await oracle.ask('falcon', 'public', key.secretKey), hex(key.publicKey));
  same('falcon public key of ours', hex(key.publicKey), theirs(() => falcon1024.getPublicKey(key.secretKey)));
  return key;
}

async function falconCase(oracle, chance, key, number) {
  const [format, falcon] = SIGNATURES[number % 2];
  const arithmetic = ARITHMETICS[(number >> 1) % 2];
  const message = chance.bytes(chance.below(MAX_MESSAGE));
  const [nonce, signingSeed] = [chance.bytes(40), chance.bytes(48)];
  const draws = [nonce, Uint8Array.from(signingSeed)];
  const made = falcon.sign(message, key.secretKey, { random: () => Uint8Array.from(draws.shift()) });
  const ours = await oracle.ask('falcon', 'sign', format, arithmetic, key.secretKey, nonce, signingSeed, message);
  // Where a vector is too long or does not fit the format, the next is sampled. The package then goes
  // on with what is left of the bytes of the generator before, the reference implementation starts
  // the new one with its own: so do we, and both signatures are valid.
  const once = await oracle.ask('falcon', 'once', format, key.secretKey, nonce, signingSeed, message);
  if (once === 'yes') same(`falcon ${format} signature`, ours, hex(made));

  const judged = async (what, signature, of, by, verdict) => {
    same(`falcon ${format}: ${what}, here`, withoutName(await oracle.ask('falcon', 'verify', format, by, signature, of)), verdict);
    same(`falcon ${format}: ${what}, there`, verdict, falcon.verify(signature, of, by) ? '-' : 'refused');
  };
  // Signed again, so that ours and theirs are two.
  const another = falcon.sign(message, key.secretKey, { random: (count) => chance.bytes(count) });
  await judged('ours', Buffer.from(ours, 'hex'), message, key.publicKey, '-');
  await judged('theirs', another, message, key.publicKey, '-');
  await judged('corrupted', chance.flipped(another), message, key.publicKey, 'refused');
  await judged('cut short', another.slice(0, -1), message, key.publicKey, 'refused');
  await judged('with a byte more', Buffer.concat([another, Buffer.alloc(1)]), message, key.publicKey, 'refused');
  await judged('another message', another, Buffer.concat([message, chance.bytes(1)]), key.publicKey, 'refused');
  await judged('another key', another, message, chance.flipped(key.publicKey), 'refused');
}

// docs/protocols/sealed_box.md, in its words.
const text = (label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]);
const kdf = (secret, info) => Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(0), info, 32));
const sha256 = (...parts) => createHash('sha256').update(Buffer.concat(parts)).digest();
const uleb = (n) => Buffer.from(n < 0x80 ? [n] : [(n & 0x7f) | 0x80, n >> 7]);

function aead(key, associated, plaintext) {
  const cipher = createCipheriv('aes-256-gcm', key, Buffer.alloc(12));
  cipher.setAAD(associated);
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

function sealedBox(contentKey, messages, readers, owner, object, version, plaintext) {
  const suite = Buffer.from([1, 0]);
  const number = Buffer.alloc(8);
  number.writeBigUInt64LE(version);
  const context = Buffer.concat([suite, owner, uleb(object.length), object, number]);
  const i = Buffer.concat([text('hm.sealed-box.content.v1'), context]);
  const content = aead(kdf(contentKey, i), i, plaintext);
  const commitment = kdf(contentKey, Buffer.concat([text('hm.sealed-box.commitment.v1'), context, sha256(content)]));
  const wraps = readers.map((reader, n) => {
    const h = createHash('sha3-256').update(reader).digest();
    const { cipherText, sharedSecret } = ml_kem1024.encapsulate(reader, messages[n]);
    const hint = sha256(text('hm.sealed-box.hint.v1'), commitment, h).subarray(0, 8);
    const j = Buffer.concat([text('hm.sealed-box.wrap.v1'), context, commitment, h, sha256(cipherText)]);
    return Buffer.concat([hint, cipherText, aead(kdf(sharedSecret, j), j, contentKey)]);
  });
  wraps.sort(Buffer.compare);
  return Buffer.concat([suite, commitment, uleb(wraps.length), ...wraps, uleb(content.length), content]);
}

async function boxCase(oracle, chance) {
  const seeds = Array.from({ length: 1 + chance.below(MAX_READERS) }, () => chance.bytes(64));
  const readers = seeds.map((each) => ml_kem1024.keygen(each).publicKey);
  const [contentKey, ...messages] = [chance.bytes(32), ...readers.map(() => chance.bytes(32))];
  const owner = chance.bytes(32);
  const object = chance.bytes(chance.below(40));
  const version = Buffer.from(chance.bytes(8)).readBigUInt64LE();
  const plaintext = chance.bytes(chance.below(MAX_MESSAGE));
  const box = sealedBox(contentKey, messages, readers, owner, object, version, plaintext);
  const where = [owner, object, version];
  const drawn = Buffer.concat([contentKey, ...messages]);
  same('box', await oracle.ask('box', 'seal', ...where, plaintext, drawn, ...readers), hex(box));
  for (const each of seeds) same('box opened here', await oracle.ask('box', 'open', ...where, box, each), hex(plaintext));
  same('box of another', await oracle.ask('box', 'open', ...where, box, chance.bytes(64)), 'refused not_a_reader');
}

const oracle = new Oracle();
let key;
for (let number = 0; number < Number(caseCount); ++number) {
  const chance = new Chance(`${seed} ${number}`);
  try {
    for (const kem of KEMS) await kemCase(oracle, chance, kem);
    await boxCase(oracle, chance);
    if (number % CASES_PER_FALCON_KEY === 0) key = await falconKey(oracle, chance);
    await falconCase(oracle, chance, key, number);
  } catch (error) {
    console.error(`case ${number}: ${error.message}`);
    process.exitCode = 1;
    break;
  }
}
oracle.end();
