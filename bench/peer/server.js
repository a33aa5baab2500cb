// The front door: the upload to disk, its status and its job to Redis, then 202.
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { Queue } from 'bullmq';
import Fastify from 'fastify';
import { closeOnSigterm, connectRedis, makeFolders, originalPath, QUEUE, statusKey } from './settings.js';

const redis = connectRedis();
const queue = new Queue(QUEUE, {
  connection: redis,
  defaultJobOptions: { removeOnComplete: true, attempts: 3, backoff: { type: 'exponential', delay: 100 } },
});
const app = Fastify({ bodyLimit: 32 * 1024 * 1024 });

app.addContentTypeParser(['image/jpeg', 'image/png', 'image/webp', 'image/gif'], { parseAs: 'buffer' },
  (request, body, done) => done(null, body));

app.post('/v1/images', async (request, reply) => {
  const id = randomUUID();
  await writeFile(originalPath(id), request.body);
  const status = { state: 'accepted', bytes: request.body.length, created_at: new Date().toISOString() };
  // One connection, so Redis has the status before any worker has the job.
  await Promise.all([redis.hset(statusKey(id), status), queue.add('thumbnail', { id }, { jobId: id })]);
  return reply.code(202).header('Location', `/v1/images/${id}`).send({ id, ...status });
});

app.get('/v1/images/:id', async (request, reply) => {
  const status = await redis.hgetall(statusKey(request.params.id));
  if (!status.state) return reply.code(404).send({ error: 'not found' });
  return { id: request.params.id, ...status };
});

app.get('/readyz', async () => ({ ready: (await redis.ping()) === 'PONG' }));

makeFolders();
await app.listen({ host: '127.0.0.1', port: Number(process.env.PEER_HTTP_PORT) });
closeOnSigterm(async () => {
  await app.close();
  await queue.close();
});
