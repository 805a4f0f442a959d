// An S3 server that checks signatures (version 4): node bucket.cjs PORT DIRECTORY BUCKET. Its one key is S3RVER with the secret S3RVER.
const { createRequire } = require("node:module");
const S3rver = createRequire(`${process.env.FEDCOLLAB_TEST_PEERS}/package.json`)("@20minutes/s3rver");
const [port, directory, name] = process.argv.slice(2);
const server = new S3rver({ port: Number(port), address: "127.0.0.1", silent: true, directory, configureBuckets: [{ name }] });
server.run().then(() => console.log("ready"));
