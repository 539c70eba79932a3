import 'reflect-metadata'
import { createServer } from 'node:http'
import { ApolloServer } from '@apollo/server'
import { expressMiddleware } from '@as-integrations/express5'
import { ReflectMetadataProvider } from '@mikro-orm/decorators/legacy'
import { MikroORM } from '@mikro-orm/postgresql'
import express from 'express'
import { buildSchema } from 'type-graphql'
import { sessionOptions, settings, viewerOf } from './peer.js'
import { cachedResponses } from './tutorial.cache.js'
import { Comment, Order, OrderItem, Post, Product, Tag, User } from './tutorial.entities.js'
import { type Context, PostResolver, ProductResolver, UserResolver } from './tutorial.resolvers.js'

const orm = await MikroORM.init({
  clientUrl: settings.databaseUrl,
  entities: [Comment, Order, OrderItem, Post, Product, Tag, User],
  metadataProvider: ReflectMetadataProvider,
  forceUtcTimezone: true,
  pool: { max: settings.pool },
  driverOptions: { options: sessionOptions },
})

const apollo = new ApolloServer<Context>({
  schema: await buildSchema({ resolvers: [PostResolver, ProductResolver, UserResolver], validate: false }),
  ...(settings.responseCache && cachedResponses(settings.redisUrl)),
})
await apollo.start()

const app = express()
app.use(
  '/graphql',
  express.json(),
  expressMiddleware(apollo, {
    context: async ({ req }) => ({ em: orm.em.fork(), viewer: await viewerOf(req.headers.authorization) }),
  }),
)
createServer({ keepAliveTimeout: 65_000 }, app).listen(settings.port, '127.0.0.1', () => console.log('ready'))
