import { Migration } from '@mikro-orm/migrations'

export class Migration20261122180608_demo extends Migration {
  override async up(): Promise<void> {
    this.addSql(
      `create table "products" ("id" uuid not null, "name" text not null, "description" text not null, "sku" text not null, "brand" text null, "price" numeric(12,2) not null, "currency" text not null, "stock" int not null, "reserved" int not null, "sold_count" int not null, "weight" numeric(10,3) null, "active" boolean not null, "created_at" timestamptz(6) not null, primary key ("id"));`,
    )
    this.addSql(`create index products_created on products (created_at desc, id desc) where active;`)
    this.addSql(`create index products_sold on products (sold_count desc, id desc) where active;`)
    this.addSql(`create index products_price on products (price, id) where active;`)
    this.addSql(
      `create index products_in_stock_created on products (created_at desc, id desc) where active and stock > reserved;`,
    )
    this.addSql(
      `create index products_in_stock_sold on products (sold_count desc, id desc) where active and stock > reserved;`,
    )
    this.addSql(`create index products_in_stock_price on products (price, id) where active and stock > reserved;`)
    this.addSql(`create index products_inactive_created on products (created_at desc, id desc) where not active;`)
    this.addSql(`create index products_text on products using gin (to_tsvector('simple', name || ' ' || description));`)
    this.addSql(`alter table "products" add constraint "products_sku_unique" unique ("sku");`)
    this.addSql(
      `create table "subscribers" ("id" uuid not null, "email" text not null, "subscribed_at" timestamptz(6) not null, primary key ("id"));`,
    )
    this.addSql(`alter table "subscribers" add constraint "subscribers_email_unique" unique ("email");`)
    this.addSql(
      `create table "tags" ("id" uuid not null, "name" text not null, "slug" text not null, primary key ("id"));`,
    )
    this.addSql(`create index tags_name on tags (name, id);`)
    this.addSql(`alter table "tags" add constraint "tags_slug_unique" unique ("slug");`)
    this.addSql(
      `create table "users" ("id" uuid not null, "name" text not null, "email" text not null, "role" text not null, "active" boolean not null, "password_hash" text not null, "joined_at" timestamptz(6) not null, primary key ("id"));`,
    )
    this.addSql(`create index users_active_email on users (email) include (id, role, password_hash) where active;`)
    this.addSql(`alter table "users" add constraint "users_email_unique" unique ("email");`)
    this.addSql(
      `create table "posts" ("id" uuid not null, "author_id" uuid not null, "status" text not null, "title" text not null, "body" text not null, "published_at" timestamptz(6) null, "created_at" timestamptz(6) not null, primary key ("id"));`,
    )
    this.addSql(
      `create index posts_published on posts ((coalesce(published_at, 'infinity'::timestamptz)) desc, id desc) where status = 'PUBLISHED';`,
    )
    this.addSql(`create index posts_created on posts (created_at desc, id desc) where status = 'PUBLISHED';`)
    this.addSql(`create index posts_title on posts (title, id) where status = 'PUBLISHED';`)
    this.addSql(
      `create index posts_author_published on posts (author_id, (coalesce(published_at, 'infinity'::timestamptz)) desc, id desc) where status = 'PUBLISHED';`,
    )
    this.addSql(`create index posts_author_status_created on posts (author_id, status, created_at desc, id desc);`)
    this.addSql(`create index posts_author_title on posts (author_id, title, id) where status = 'PUBLISHED';`)
    this.addSql(
      `create index posts_status_created on posts (status, created_at desc, id desc) where status <> 'PUBLISHED';`,
    )
    this.addSql(`create index posts_text on posts using gin (to_tsvector('simple', title || ' ' || body));`)
    this.addSql(
      `create table "post_tags" ("post_id" uuid not null, "tag_id" uuid not null, "published_at" timestamptz(6) null, primary key ("post_id", "tag_id"));`,
    )
    this.addSql(`create index post_tags_tag_published on post_tags (tag_id, published_at desc, post_id desc);`)
    this.addSql(
      `create table "orders" ("user_id" uuid not null, "id" uuid not null, "status" text not null, "total" numeric(18,2) not null, "currency" text not null, "idempotency_key" text not null, "created_at" timestamptz(6) not null, primary key ("user_id", "id"));`,
    )
    this.addSql(`create index orders_user_created on orders (user_id, created_at desc, id desc);`)
    this.addSql(`create index orders_created on orders (created_at);`)
    this.addSql(`alter table "orders" add constraint "orders_idempotency" unique ("user_id", "idempotency_key");`)
    this.addSql(
      `create table "order_items" ("user_id" uuid not null, "order_id" uuid not null, "position" int not null, "product_id" uuid not null, "quantity" int not null, "unit_price" numeric(12,2) not null, primary key ("user_id", "order_id", "position"));`,
    )
    this.addSql(`create index "order_items_product" on "order_items" ("product_id");`)
    this.addSql(
      `create table "comments" ("id" uuid not null, "post_id" uuid not null, "author_id" uuid not null, "body" text not null, "created_at" timestamptz(6) not null, primary key ("id"));`,
    )
    this.addSql(`create index "comments_author" on "comments" ("author_id");`)
    this.addSql(`create index comments_post_created on comments (post_id, created_at desc, id desc);`)
    this.addSql(`alter table "products" add constraint "products_price_positive" check (price >= 0);`)
    this.addSql(`alter table "products" add constraint "products_currency_code" check (currency ~ '^[A-Z]{3}$');`)
    this.addSql(`alter table "products" add constraint "products_stock_positive" check (stock >= 0);`)
    this.addSql(
      `alter table "products" add constraint "products_reserved_in_stock" check (reserved between 0 and stock);`,
    )
    this.addSql(`alter table "users" add constraint "users_role_check" check ("role" in ('USER', 'ADMIN'));`)
    this.addSql(
      `alter table "posts" add constraint "posts_author_id_foreign" foreign key ("author_id") references "users" ("id");`,
    )
    this.addSql(
      `alter table "posts" add constraint "posts_published_when" check (status <> 'PUBLISHED' or published_at is not null);`,
    )
    this.addSql(
      `alter table "posts" add constraint "posts_status_check" check ("status" in ('DRAFT', 'PUBLISHED', 'ARCHIVED'));`,
    )
    this.addSql(
      `alter table "post_tags" add constraint "post_tags_post_id_foreign" foreign key ("post_id") references "posts" ("id") on update no action on delete no action;`,
    )
    this.addSql(
      `alter table "post_tags" add constraint "post_tags_tag_id_foreign" foreign key ("tag_id") references "tags" ("id") on update no action on delete no action;`,
    )
    this.addSql(
      `alter table "orders" add constraint "orders_user_id_foreign" foreign key ("user_id") references "users" ("id");`,
    )
    this.addSql(`alter table "orders" add constraint "orders_total_positive" check (total >= 0);`)
    this.addSql(
      `alter table "orders" add constraint "orders_status_check" check ("status" in ('PLACED', 'SETTLED', 'CANCELLED'));`,
    )
    this.addSql(
      `alter table "order_items" add constraint "order_items_product_id_foreign" foreign key ("product_id") references "products" ("id");`,
    )
    this.addSql(
      `alter table "order_items" add constraint "order_items_user_id_order_id_foreign" foreign key ("user_id", "order_id") references "orders" ("user_id", "id") on update cascade;`,
    )
    this.addSql(`alter table "order_items" add constraint "order_items_quantity_positive" check (quantity > 0);`)
    this.addSql(
      `alter table "comments" add constraint "comments_post_id_foreign" foreign key ("post_id") references "posts" ("id");`,
    )
    this.addSql(
      `alter table "comments" add constraint "comments_author_id_foreign" foreign key ("author_id") references "users" ("id");`,
    )
  }

  override async down(): Promise<void> {
    this.addSql(`alter table "order_items" drop constraint "order_items_product_id_foreign";`)
    this.addSql(`alter table "post_tags" drop constraint "post_tags_tag_id_foreign";`)
    this.addSql(`alter table "posts" drop constraint "posts_author_id_foreign";`)
    this.addSql(`alter table "orders" drop constraint "orders_user_id_foreign";`)
    this.addSql(`alter table "comments" drop constraint "comments_author_id_foreign";`)
    this.addSql(`alter table "post_tags" drop constraint "post_tags_post_id_foreign";`)
    this.addSql(`alter table "comments" drop constraint "comments_post_id_foreign";`)
    this.addSql(`alter table "order_items" drop constraint "order_items_user_id_order_id_foreign";`)
    this.addSql(`drop table if exists "products" cascade;`)
    this.addSql(`drop table if exists "subscribers" cascade;`)
    this.addSql(`drop table if exists "tags" cascade;`)
    this.addSql(`drop table if exists "users" cascade;`)
    this.addSql(`drop table if exists "posts" cascade;`)
    this.addSql(`drop table if exists "post_tags" cascade;`)
    this.addSql(`drop table if exists "orders" cascade;`)
    this.addSql(`drop table if exists "order_items" cascade;`)
    this.addSql(`drop table if exists "comments" cascade;`)
  }
}
